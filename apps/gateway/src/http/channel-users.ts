import { userIdAsSigned, type DialectName, type Member } from '@pogo/pusher-protocol';

/**
 * `{"users": [{"id", "user_info"?}]}`, in Pusher's dialect with ids as strings. Built as text from what the application
 * signed: a number of 64 bits keeps its digits.
 */
export function usersText(members: readonly Member[], dialect: DialectName, withUserInfo: boolean): string {
  const users = members.map((member) => {
    const id = dialect === 'reverb' ? userIdAsSigned(member) : JSON.stringify(member.userId);
    return withUserInfo ? `{"id":${id},"user_info":${member.userInfoJson ?? '{}'}}` : `{"id":${id}}`;
  });
  return `{"users":[${users.join(',')}]}`;
}
