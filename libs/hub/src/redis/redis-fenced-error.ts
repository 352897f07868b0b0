import { UnavailableError } from '../unavailable-error.js';

/** This process counts as dead: it must take a new name and announce its connections again before anything else. */
export class FencedError extends UnavailableError {
  constructor() {
    super('this node was taken for dead', 'not_done');
    this.name = 'FencedError';
  }
}
