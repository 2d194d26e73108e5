import { render } from 'preact';
import { App } from './app';
import { keepFocus } from './logic/focus';
import './styles.css';

const place = document.getElementById('page');
if (place) {
  keepFocus(document);
  render(<App />, place);
}
