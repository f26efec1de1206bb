import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayNotEmpty, IsArray, IsDefined, IsOptional, IsString } from 'class-validator';
import { type Attributes, maxTargets, type StoredAttributes } from '../../user-attributes/user-attributes.service.js';

export class GetAgoraAttributesDto {
  @ApiProperty({ type: [String], minItems: 1, maxItems: maxTargets, example: ['user1', 'user2'] })
  @IsDefined({ message: 'targets is required: a list of users' })
  @IsArray({ message: 'targets must be a list of users' })
  @ArrayNotEmpty({ message: 'targets must not be empty' })
  @IsString({ each: true, message: 'targets must be a list of strings' })
  targets!: string[];

  @ApiPropertyOptional({
    type: [String],
    nullable: true,
    example: ['nickname', 'avatarurl'],
    description: 'The names of the attributes to return; if omitted, all',
  })
  @IsOptional()
  @IsArray({ message: 'properties must be a list of names' })
  @IsString({ each: true, message: 'properties must be a list of strings' })
  properties?: string[] | null;
}

/** The attributes with these names, or all of them. */
export function toAgoraAttributes(
  attributes: Attributes | undefined,
  names: readonly string[] | null = null,
): Record<string, string> {
  const wanted = names === null ? null : new Set(names);
  return Object.fromEntries([...(attributes ?? [])].filter(([name]) => wanted === null || wanted.has(name)));
}

/** The answer to a batch, keyed by the names as requested. */
export function toAgoraBatch({ targets, properties }: GetAgoraAttributesDto, found: (StoredAttributes | null)[]) {
  const data = targets.map((name, index) => [name, toAgoraAttributes(found[index]?.attributes, properties)] as const);
  const modified = targets.flatMap((name, index) => {
    const stored = found[index];
    return stored == null ? [] : [[name, stored.modifiedAt] as const];
  });
  return { data: Object.fromEntries(data), lastModified: Object.fromEntries(modified) };
}
