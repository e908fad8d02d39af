/**
 * lr_scheduler_kwargs: what each schedule of transformers takes beside warm-up and steps, with its defaults.
 */

export const SCHEDULER_TYPES = [
  'linear',
  'cosine',
  'cosine_with_restarts',
  'cosine_with_min_lr',
  'cosine_warmup_with_min_lr',
  'polynomial',
  'inverse_sqrt',
  'constant',
  'constant_with_warmup',
  'warmup_stable_decay',
] as const;
export type SchedulerType = (typeof SCHEDULER_TYPES)[number];

/** Under transformers' names. */
export interface Schedule {
  lr_scheduler_type: SchedulerType;
  /** Absent: none. */
  lr_scheduler_kwargs?: Readonly<Record<string, number | string>>;
  learning_rate: number;
  warmupSteps: number;
  totalSteps: number;
}

const SHAPES = ['linear', 'cosine', '1-sqrt'] as const;
type Shape = (typeof SHAPES)[number];

/** The arguments that a schedule takes. */
const TAKEN: Readonly<Record<SchedulerType, readonly string[]>> = {
  linear: [],
  cosine: ['num_cycles'],
  cosine_with_restarts: ['num_cycles'],
  cosine_with_min_lr: ['num_cycles', 'min_lr', 'min_lr_rate'],
  cosine_warmup_with_min_lr: ['num_cycles', 'min_lr', 'min_lr_rate', 'warmup_lr_rate'],
  polynomial: ['lr_end', 'power'],
  inverse_sqrt: ['timescale'],
  constant: [],
  constant_with_warmup: [],
  warmup_stable_decay: [
    'num_decay_steps',
    'num_stable_steps',
    'warmup_type',
    'decay_type',
    'min_lr_ratio',
    'num_cycles',
  ],
};

/** Every argument, with transformers' defaults filled in. */
export function scheduleArguments(schedule: Schedule): {
  num_cycles: number;
  power: number;
  lr_end: number;
  timescale: number;
  min_lr_rate: number;
  warmup_lr_rate: number | null;
  num_decay_steps: number;
  num_stable_steps: number;
  min_lr_ratio: number;
  warmup_type: Shape;
  decay_type: Shape;
} {
  const {
    lr_scheduler_type,
    lr_scheduler_kwargs: given = {},
    learning_rate,
    warmupSteps,
    totalSteps,
  } = schedule;
  const number = (key: string, unset: number) => (given[key] as number | undefined) ?? unset;
  const decay = number('num_decay_steps', 0);
  return {
    num_cycles: number('num_cycles', lr_scheduler_type === 'cosine_with_restarts' ? 1 : 0.5),
    power: number('power', 1),
    lr_end: number('lr_end', 1e-7),
    timescale: number('timescale', warmupSteps || 10_000),
    min_lr_rate: number('min_lr_rate', number('min_lr', 0) / learning_rate || 0),
    warmup_lr_rate: (given.warmup_lr_rate as number | undefined) ?? null,
    num_decay_steps: decay,
    num_stable_steps: number('num_stable_steps', totalSteps - warmupSteps - decay),
    min_lr_ratio: number('min_lr_ratio', 0),
    warmup_type: (given.warmup_type as Shape | undefined) ?? 'linear',
    decay_type: (given.decay_type as Shape | undefined) ?? 'cosine',
  };
}

/** Why a schedule's arguments are wrong; null where they are right. */
export function scheduleFault({
  lr_scheduler_type: type,
  lr_scheduler_kwargs: given = {},
  learning_rate,
}: Pick<Schedule, 'lr_scheduler_type' | 'lr_scheduler_kwargs' | 'learning_rate'>): string | null {
  const at = (key: string) => `"training.lr_scheduler_kwargs.${key}"`;
  const taken = TAKEN[type];
  for (const [key, value] of Object.entries(given)) {
    if (!taken.includes(key))
      return `${at(key)} is no argument of the schedule ${type}, which takes ${taken.length > 0 ? taken.join(', ') : 'none'}.`;
    const isShape = key === 'warmup_type' || key === 'decay_type';
    if (isShape && !(SHAPES as readonly unknown[]).includes(value))
      return `${at(key)} is ${JSON.stringify(value)}: it must be one of ${SHAPES.join(', ')}.`;
    if (!isShape && !(typeof value === 'number' && Number.isFinite(value) && value >= 0))
      return `${at(key)} is ${JSON.stringify(value)}: it must be a number that is not negative.`;
  }
  if (type.endsWith('_min_lr') && 'min_lr' in given === 'min_lr_rate' in given)
    return `The schedule ${type} needs either min_lr or min_lr_rate in "training.lr_scheduler_kwargs".`;
  if (type === 'warmup_stable_decay' && !('num_decay_steps' in given))
    return 'The schedule warmup_stable_decay needs num_decay_steps in "training.lr_scheduler_kwargs".';
  if (type === 'polynomial' && ((given.lr_end as number | undefined) ?? 1e-7) >= learning_rate)
    return `${at('lr_end')} must be below learning_rate.`;
  return null;
}
