/**
 * Keeps the keyboard's place while numbers change: a browser drops the focus of an element that an update moves or takes
 * away, and whoever uses keys or a screen reader would be thrown back to the top of the page.
 */
export function keepFocus(page: Document): void {
  let last: HTMLElement | null = null;
  let around: HTMLElement[] = [];
  page.addEventListener('focusin', (event) => {
    last = event.target instanceof HTMLElement ? event.target : null;
    around = last ? ancestorsOf(last) : [];
  });
  // who points beside everything wants no focus
  page.addEventListener('pointerdown', () => (last = null), true);
  new MutationObserver(() => {
    if (!last || (page.activeElement !== null && page.activeElement !== page.body)) return;
    for (const place of [last, ...around, page.querySelector<HTMLElement>('main[tabindex]')]) {
      if (!place?.isConnected) continue;
      place.focus({ preventScroll: true });
      if (page.activeElement === place) return;
    }
  }).observe(page.body, { childList: true, subtree: true });
}

/** The elements around one that may have the focus, the nearest first; of a dialog its button to close it. */
function ancestorsOf(element: HTMLElement): HTMLElement[] {
  const found = element.parentElement?.closest<HTMLElement>('[tabindex]');
  if (found) return [found, ...ancestorsOf(found)];
  const close = element.closest('dialog')?.querySelector<HTMLElement>('button.close');
  return close ? [close] : [];
}
