/** Metadata key of the pattern that a handler serves: over Redis the transport knows it by another name. */
export const PATTERN = 'pogo:command';
