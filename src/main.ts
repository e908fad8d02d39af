import { mount } from 'svelte';
import App from './page/App.svelte';
import { language } from './page/language/messages.svelte.ts';
import { watchPageErrors } from './page/errors/errorDetails.ts';
import { keepOffline } from './page/offline.ts';
import { tightenPolicy } from './page/tightenPolicy.ts';
import './page/design.css';
import './page/app.css';
import './page/tables.css';

tightenPolicy();
watchPageErrors();
keepOffline();
const target = document.getElementById('app')!;
/** The board of a class is the same page under another path (scripts/classroom). */
async function mountPage(): Promise<void> {
  const isBoard = /\/board$/.test(location.pathname);
  const [board] = await Promise.all([
    isBoard ? import('./page/classroom/board/BoardPage.svelte') : null,
    language.start(),
  ]);
  mount(board?.default ?? App, { target });
}

void mountPage();
