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
mount(App, { target: document.getElementById('app')! });
