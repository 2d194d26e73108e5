/** Long names cut at what people take for a character: an emoji of several code points stays whole. */

const characters = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

export function shorten(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const found = Array.from(characters.segment(text), ({ segment }) => segment);
  return found.length > longest ? `${found.slice(0, longest - 1).join('')}…` : text;
}
