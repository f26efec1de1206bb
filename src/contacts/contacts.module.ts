import { Module } from '@nestjs/common';
import { BlocksModule } from '../blocks/blocks.module.js';
import { RemovalsModule } from '../removals/removals.module.js';
import { UsersModule } from '../users/users.module.js';
import { ContactListsRepository } from './contact-lists.repository.js';
import { ContactRemovals } from './contact-removals.js';
import { ContactsRepository } from './contacts.repository.js';
import { ContactsService } from './contacts.service.js';

@Module({
  imports: [BlocksModule, RemovalsModule, UsersModule],
  providers: [ContactListsRepository, ContactRemovals, ContactsRepository, ContactsService],
  exports: [ContactsService],
})
export class ContactsModule {}
