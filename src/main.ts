import { mount } from 'svelte';
import App from './page/App.svelte';
import './page/app.css';

mount(App, { target: document.getElementById('app')! });
