// Whether a socket is that of a runtime of pods, and of which.
import { openRuntime } from '../runtime/api.ts';
import { asHotexecError } from '../refusal.ts';

/** `containerd 1.6.20`; null: whoever listens there does not speak CRI, or not with this user. */
export async function criVersion(path: string): Promise<string | null> {
  using api = await openRuntime({ path, source: null }, undefined);
  try {
    const { name, version } = await api.version();
    return `${name} ${version.replace(/^v/, '')}`;
  } catch (error) {
    asHotexecError(error);
    return null;
  }
}
