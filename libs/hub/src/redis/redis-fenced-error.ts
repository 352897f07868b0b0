import { UnavailableError } from '../unavailable-error.js';

/** This incarnation is of no use any more: its process must take a new name and announce its connections again before anything else. */
export class FencedError extends UnavailableError {
  constructor(message = 'this node was taken for dead') {
    super(message, 'not_done');
    this.name = 'FencedError';
  }
}
