/** How wide a text is drawn, in widths of its font, a little more rather than less (as bold digits of a wide font are): for places that it must fit into. */

const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/;
const NARROW = /[.,:'| ]/;

export function widthOf(text: string): number {
  return Array.from(text).reduce((sum, one) => sum + (WIDE.test(one) ? 1.02 : NARROW.test(one) ? 0.4 : 0.7), 0.2);
}
