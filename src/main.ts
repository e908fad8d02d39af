import { mount } from 'svelte';
import App from './page/App.svelte';
import { watchPageErrors } from './page/errors/errorDetails.ts';
import { keepOffline } from './page/offline.ts';
import { tightenPolicy } from './page/tightenPolicy.ts';
import './page/design.css';
import './page/app.css';

tightenPolicy();
watchPageErrors();
keepOffline();
const target = document.getElementById('app')!;
// The board of a class is the same page under another path (scripts/classroom).
if (/\/board$/.test(location.pathname))
  void import('./page/classroom/board/BoardPage.svelte').then(({ default: BoardPage }) =>
    mount(BoardPage, { target }),
  );
else mount(App, { target });
