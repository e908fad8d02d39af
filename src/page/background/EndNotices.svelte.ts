/** Notifications of the system at the end of a run: only after a click, and without a sound. */
import { report } from '../../lib/errorLog.ts';
import { keepSetting, keptSetting } from '../keptSettings.ts';

/** none: the browser has no notifications. refused: the person or the browser said no. */
export type NoticeState = 'none' | 'off' | 'on' | 'refused';

const KEY = 'finetab.notify';

export class EndNotices {
  private permission = $state<NotificationPermission | null>(
    'Notification' in globalThis ? Notification.permission : null,
  );
  private wanted = $state(keptSetting(KEY) === 'yes');

  get state(): NoticeState {
    if (this.permission === null) return 'none';
    if (this.permission === 'denied') return 'refused';
    return this.wanted && this.permission === 'granted' ? 'on' : 'off';
  }

  /** Call it in a click: the browser asks the person. */
  async turnOn(): Promise<void> {
    this.permission = await Notification.requestPermission();
    this.want(this.permission === 'granted');
  }

  turnOff(): void {
    this.want(false);
  }

  /** Shows one, where the person wants it and does not look at the page anyway. */
  async show(title: string, body: string): Promise<void> {
    if (this.state !== 'on' || (document.visibilityState === 'visible' && document.hasFocus())) return;
    // A later one takes the place of an earlier one.
    const options: NotificationOptions = { body, tag: 'finetab-run', silent: true };
    try {
      const notice = new Notification(title, options);
      notice.onclick = () => {
        window.focus();
        notice.close();
      };
    } catch (error) {
      // Browsers of phones show them through a service worker only.
      const registration = await navigator.serviceWorker?.getRegistration();
      if (registration) await registration.showNotification(title, options);
      else report(error, 'showing a notification', 'warning');
    }
  }

  private want(wanted: boolean): void {
    this.wanted = wanted;
    keepSetting(KEY, wanted ? 'yes' : null);
  }
}
