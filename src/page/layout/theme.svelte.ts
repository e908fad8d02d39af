/** The light, the dark or the system's theme; this browser remembers the choice. */
import { keepSetting, keptSetting } from '../keptSettings.ts';

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'finetab.theme';

class ThemeChoice {
  value = $state<Theme>('system');
  private systemDark = $state(false);

  constructor() {
    const stored = keptSetting(KEY);
    if (stored === 'light' || stored === 'dark') this.set(stored);
    const query = matchMedia('(prefers-color-scheme: dark)');
    this.systemDark = query.matches;
    query.addEventListener('change', () => (this.systemDark = query.matches));
  }

  /** Whether the page is dark now. A canvas must be drawn again when this changes. */
  get dark(): boolean {
    return this.value === 'dark' || (this.value === 'system' && this.systemDark);
  }

  set(value: Theme): void {
    this.value = value;
    if (value === 'system') {
      keepSetting(KEY, null);
      delete document.documentElement.dataset.theme;
    } else {
      keepSetting(KEY, value);
      document.documentElement.dataset.theme = value;
    }
  }
}

export const theme = new ThemeChoice();
