import { HttpException } from '@nestjs/common';
import type { PublishStatus } from '@pogo/hub';

/** A refusal of the HTTP API: `{"error": sentence}`, on publish routes with the publish status as `status`. */
export class ApiError extends HttpException {
  constructor(httpStatus: number, sentence: string, publishStatus?: PublishStatus) {
    super(publishStatus === undefined ? { error: sentence } : { error: sentence, status: publishStatus }, httpStatus);
    this.name = 'ApiError';
  }
}

/** The body is no JSON object, so there is nothing in it to name. */
export class UnreadableBodyError extends ApiError {}
