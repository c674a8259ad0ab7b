import { Problem, type ProblemCode } from '../../domain/problem.ts';

/** What an operator is told besides the code. They may know more than somebody at the door. */
export interface Told {
  detail: string;
  /** Where what they sent is wrong. */
  fields?: readonly { path: string; message: string }[];
}

export class Refusal extends Problem {
  readonly told: Told;

  constructor(code: ProblemCode, detail: string, fields?: Told['fields']) {
    super(code, detail);
    this.name = 'Refusal';
    this.told = { detail, ...(fields ? { fields } : {}) };
  }
}

/**
 * The work of other rooms says in plain errors why it cannot be done. What is an error of another kind is a defect, or
 * something that does not answer, and nobody's business here.
 */
export async function orConflict<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const isSaid =
      error instanceof Error &&
      Object.getPrototypeOf(error) === Error.prototype &&
      !('code' in error);
    if (isSaid) throw new Refusal('conflict', error.message);
    throw error;
  }
}

export async function orInvalid<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof RangeError) throw new Refusal('invalid', error.message);
    throw error;
  }
}
