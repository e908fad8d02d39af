/** A run in the background: what the clock shows of a hidden tab, and the notification at the end. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EndNotices } from '../../src/page/background/EndNotices.svelte.ts';
import { awayVerdict, HiddenTime } from '../../src/page/background/HiddenTime.svelte.ts';
import { keepSetting } from '../../src/page/keptSettings.ts';
import { stubPage } from '../helpers/fakeWorkers.ts';

/** In sight a step takes 1 s. @returns a time whose tab is hidden from second 10 on, at step 10 */
function hiddenAfterTen(): HiddenTime {
  const time = new HiddenTime();
  time.begin(0, 0);
  for (let s = 1; s <= 10; s++) time.stepped(s, s);
  time.hide(10, 10);
  return time;
}

describe('a hidden tab', () => {
  it.each([
    ['same', 1],
    ['slower', 2],
  ])('whose steps take as long or twice as long is %s', (verdict, each) => {
    const time = hiddenAfterTen();
    for (let n = 1; n <= 20; n++) time.stepped(10 + n * each, 10 + n);
    time.show(10 + 20 * each, 30);
    expect(time.away).toEqual({
      seconds: 20 * each,
      steps: 20,
      frozenSeconds: 0,
      longestGap: each,
      secondsPerStepBefore: 1,
    });
    expect(awayVerdict(time.away!)).toBe(verdict);
  });

  it('in which no step came for long was held up, and one that the browser froze says how long', () => {
    const time = hiddenAfterTen();
    time.stepped(11, 11);
    time.stepped(611, 12);
    time.show(612, 13);
    expect([time.away!.longestGap, awayVerdict(time.away!)]).toEqual([600, 'heldUp']);
    time.hide(620, 20);
    time.freeze(630);
    time.thaw(690);
    time.show(700, 25);
    expect(time.away).toMatchObject({ seconds: 80, steps: 5, frozenSeconds: 60 });
    expect(awayVerdict(time.away!)).toBe('frozen');
  });

  it('that was hidden for a moment, or before its first steps, is not judged', () => {
    const time = hiddenAfterTen();
    time.show(12, 12);
    expect(awayVerdict(time.away!)).toBeNull();
    const early = new HiddenTime();
    early.begin(0, 0);
    early.hide(1, 0);
    early.show(60, 3);
    expect(awayVerdict(early.away!)).toBe('unknown');
    // The last step came long before the tab was in sight again.
    const stuck = hiddenAfterTen();
    stuck.show(100, 10);
    expect(awayVerdict(stuck.away!)).toBe('heldUp');
  });
});

describe('a notification at the end', () => {
  let shown: { title: string; options: NotificationOptions }[];
  let answer: NotificationPermission;
  let looks: boolean;

  beforeEach(() => {
    [shown, answer, looks] = [[], 'granted', false];
    stubPage();
    keepSetting('finetab.notify', null);
    vi.stubGlobal('document', {
      get visibilityState() {
        return looks ? 'visible' : 'hidden';
      },
      hasFocus: () => looks,
    });
    vi.stubGlobal(
      'Notification',
      class {
        static permission = 'default';
        static requestPermission = () => Promise.resolve(answer);
        constructor(title: string, options: NotificationOptions) {
          shown.push({ title, options });
        }
      },
    );
  });
  afterEach(() => vi.unstubAllGlobals());

  it('comes only after a click that allowed it, without a sound, and not while the person looks', async () => {
    const notices = new EndNotices();
    await notices.show('ended', 'before it was asked for');
    expect([notices.state, shown]).toEqual(['off', []]);
    await notices.turnOn();
    expect(notices.state).toBe('on');
    await notices.show('ended', 'Finished');
    expect(shown).toEqual([
      { title: 'ended', options: { body: 'Finished', tag: 'finetab-run', silent: true } },
    ]);
    looks = true;
    await notices.show('ended', 'in sight');
    notices.turnOff();
    looks = false;
    await notices.show('ended', 'turned off');
    expect([notices.state, shown.length]).toEqual(['off', 1]);
  });

  it('that is refused is said to be, and a browser without them has no button', async () => {
    answer = 'denied';
    const notices = new EndNotices();
    await notices.turnOn();
    expect(notices.state).toBe('refused');
    vi.unstubAllGlobals();
    stubPage();
    expect(new EndNotices().state).toBe('none');
  });
});
