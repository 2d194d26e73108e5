/** Colours of charts, from the page's own style sheet, so that a theme is written once. */
import type { Colour } from '../types';

export interface Palette {
  series: string[];
  ink: string;
  faint: string;
  line: string;
  card: string;
  signal: Record<Colour, string>;
}

export function paletteOf(element: Element): Palette {
  const style = getComputedStyle(element);
  const of = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    series: [1, 2, 3, 4, 5, 6, 7, 8].map((number) => of(`series-${number}`)),
    ink: of('ink'),
    faint: of('faint'),
    line: of('line'),
    card: of('card'),
    signal: { red: of('red'), amber: of('amber'), green: of('green'), grey: of('grey'), blue: of('blue') },
  };
}
