/** A sheet beside the board: takes the focus, gives it back, closes by Escape. */
import { useEffect, useRef } from 'preact/hooks';
import { usePage } from '../logic/context';

export function Drawer(props: { title: string; close: () => void; children: preact.ComponentChildren }) {
  const { texts } = usePage();
  const { title, close, children } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const closing = useRef(close);
  closing.current = close;

  useEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    element?.showModal();
    return () => {
      element?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);

  return (
    <dialog
      class="drawer"
      ref={dialog}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        closing.current();
      }}
      onClick={(event) => event.target === dialog.current && closing.current()}
    >
      <div class="sheet">
        <header>
          <h2>{title}</h2>
          <button type="button" class="close" aria-label={texts.close} title={texts.close} onClick={close}>
            ✕
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
