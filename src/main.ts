import { mount } from 'svelte';
import App from './page/App.svelte';
import { watchPageErrors } from './page/errors/errorDetails.ts';
import './page/app.css';

watchPageErrors();
mount(App, { target: document.getElementById('app')! });
