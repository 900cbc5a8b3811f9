import { userInfo } from 'node:os';

/** Who is at the keyboard, for the records. */
export function currentUser(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown'; // A container without a passwd entry for the user's id.
  }
}
