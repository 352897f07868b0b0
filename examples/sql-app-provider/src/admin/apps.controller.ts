import {
  BadRequestException,
  Body,
  ConflictException,
  Controller,
  Delete,
  Get,
  HttpCode,
  NotFoundException,
  Param,
  Post,
  Put,
  UseGuards,
} from '@nestjs/common';
import { AppsTable, KeyTaken } from '../apps/apps.table.js';
import { SqlAppProvider } from '../apps/sql-app.provider.js';
import { AdminTokenGuard } from './admin-token.guard.js';
import { rowOf } from './app-body.js';

/** Adds, changes, disables and removes apps while the server runs. */
@Controller('admin/apps')
@UseGuards(AdminTokenGuard)
export class AppsController {
  constructor(
    private readonly apps: SqlAppProvider,
    private readonly table: AppsTable,
  ) {}

  /** Without secrets: who has forgotten one sets another. */
  @Get()
  list(): object[] {
    return this.table.list().map(({ id, key, enabled }) => ({ id, key, enabled: enabled === 1 }));
  }

  @Put(':id')
  @HttpCode(204)
  save(@Param('id') id: string, @Body() body: unknown): void {
    const row = rowOf(id, body);
    try {
      this.apps.save(row);
    } catch (error) {
      if (error instanceof KeyTaken) throw new ConflictException(error.message);
      // An id or an origin that is none; the sentence says which.
      if (error instanceof TypeError) throw new BadRequestException(error.message);
      throw error;
    }
  }

  @Post(':id/disable')
  @HttpCode(204)
  disable(@Param('id') id: string): void {
    if (!this.apps.setEnabled(id, false)) throw new NotFoundException();
  }

  @Post(':id/enable')
  @HttpCode(204)
  enable(@Param('id') id: string): void {
    if (!this.apps.setEnabled(id, true)) throw new NotFoundException();
  }

  @Delete(':id')
  @HttpCode(204)
  remove(@Param('id') id: string): void {
    if (!this.apps.remove(id)) throw new NotFoundException();
  }
}
