// Who asks, for the record: the login name, through sudo too.
import { userInfo } from 'node:os';

/** Null: the user has no name here. */
export function loginName(environment: Readonly<Record<string, string | undefined>>, uid: number): string | null {
  const sudo = environment['SUDO_USER'];
  // Only root's environment can come from sudo; anybody can name a variable so.
  if (uid === 0 && sudo !== undefined && sudo !== '') return sudo.slice(0, 256);
  try {
    return userInfo().username;
  } catch {
    return null; // no line in /etc/passwd: usual in a container
  }
}
