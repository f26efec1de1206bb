import { ApiProperty } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsDefined, IsNotEmpty, IsString } from 'class-validator';

const maxChecked = 100;
const checkListSize = { message: `check_list size must be between 1 and ${maxChecked}` };

/** Users of whom one wants to know how they stand to another one. */
export class CheckAgoraUsersDto {
  @ApiProperty({ example: 'user1' })
  @IsDefined({ message: 'username cannot be blank' })
  @IsString({ message: 'username must be a string' })
  @IsNotEmpty({ message: 'username cannot be blank' })
  username!: string;

  @ApiProperty({ type: [String], minItems: 1, maxItems: maxChecked, example: ['user2', 'user3'] })
  @IsDefined(checkListSize)
  @IsArray({ message: 'check_list must be a list of users' })
  @ArrayMinSize(1, checkListSize)
  @ArrayMaxSize(maxChecked, checkListSize)
  @IsString({ each: true, message: 'check_list must be a list of strings' })
  check_list!: string[];
}

export class BlockAgoraUsersDto {
  @ApiProperty({ type: [String], minItems: 1, maxItems: 500, example: ['user2'] })
  @IsDefined({ message: 'usernames is required: a list of users' })
  @IsArray({ message: 'usernames must be a list of users' })
  @ArrayMinSize(1, { message: 'usernames must name at least one user' })
  @IsString({ each: true, message: 'usernames must be a list of strings' })
  usernames!: string[];
}
