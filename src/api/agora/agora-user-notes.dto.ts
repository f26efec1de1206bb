import { ApiProperty } from '@nestjs/swagger';
import { IsDefined, IsString } from 'class-validator';
import { maxAuthorLength, maxNoteLength, type UserNote } from '../../user-notes/user-notes.service.js';
import { OptionalText } from './optional-members.js';

export class AddAgoraNoteDto {
  @ApiProperty({ maxLength: maxNoteLength, example: 'Asked twice to stop, see ticket 4711' })
  @IsDefined({ message: 'text is required' })
  @IsString({ message: 'text must be a string' })
  text!: string;

  @OptionalText({ maxLength: maxAuthorLength, description: 'By default, the app token', example: 'joe' })
  author?: string | null;
}

export class AgoraNote {
  @ApiProperty({ description: 'Grows with time', example: '763173274103840' })
  id!: string;

  @ApiProperty({ example: 'joe' })
  author!: string;

  @ApiProperty({ example: 'Asked twice to stop, see ticket 4711' })
  text!: string;

  @ApiProperty({ description: 'Unix milliseconds', example: 1764158396001 })
  created!: number;
}

export function toAgoraNote({ id, author, text, at }: UserNote): AgoraNote {
  return { id: String(id), author, text, created: at };
}
