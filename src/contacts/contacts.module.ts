import { Module } from '@nestjs/common';
import { RemovalsModule } from '../removals/removals.module.js';
import { UsersModule } from '../users/users.module.js';
import { ContactListsRepository } from './contact-lists.repository.js';
import { ContactRemovals } from './contact-removals.js';
import { ContactsRepository } from './contacts.repository.js';
import { ContactsService } from './contacts.service.js';

@Module({
  imports: [RemovalsModule, UsersModule],
  providers: [ContactListsRepository, ContactRemovals, ContactsRepository, ContactsService],
  exports: [ContactsService],
})
export class ContactsModule {}
