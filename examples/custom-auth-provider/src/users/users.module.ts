import { Module } from '@nestjs/common';
import { UsersService } from './users.service.js';

const USERS = [
  { id: 'ada', name: 'Ada', roles: ['member', 'editor'] },
  { id: 'grace', name: 'Grace', roles: ['member'] },
];

const ROOMS = { member: ['lobby'], editor: ['lobby', 'newsroom', 'attendance'] };

@Module({
  providers: [{ provide: UsersService, useFactory: () => new UsersService(USERS, ROOMS) }],
  exports: [UsersService],
})
export class UsersModule {}
