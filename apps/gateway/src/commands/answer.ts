import { publishStatusName, type PublishStatus, type PublishStatusName } from '@pogo/hub';

/** How a publish ended, as commands answer it. */
export interface PublishAnswer {
  readonly status: PublishStatus;
  readonly name: PublishStatusName;
}

export function answerOf(status: PublishStatus): PublishAnswer {
  return { status, name: publishStatusName(status) };
}
