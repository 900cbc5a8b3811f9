export { findChromium, startBrowser } from './testing/browser.ts';
