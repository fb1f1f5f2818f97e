// What the API server refuses, in words: who forbids it (RBAC, Pod Security admission, another admission), and the way out.
import { HotexecError, type ErrorCode } from '../../errors.ts';
import type { ApiError } from './api.ts';
import { leastRole } from './role.ts';

export interface Asking {
  /** What it was for: `pod/web-0`. */
  readonly target: string;
  readonly namespace: string;
  /** As RBAC has it: `get pods`, `patch pods/ephemeralcontainers`. */
  readonly what: string;
}

export type Forbidder =
  | { readonly kind: 'rbac' }
  /** Pod Security admission; `level` is `restricted:latest`. */
  | { readonly kind: 'pod-security'; readonly level: string; readonly violations: string }
  /** A webhook, or a policy of the cluster. */
  | { readonly kind: 'admission'; readonly message: string };

/** Null: it was refused for another reason. */
export function forbidderOf({ status, message }: Pick<ApiError, 'status' | 'message'>): Forbidder | null {
  const [, level, violations] = /violates PodSecurity "([^"]+)": ?(.*)$/s.exec(message) ?? [];
  if (level !== undefined && violations !== undefined) return { kind: 'pod-security', level, violations };
  if (/admission webhook ".*?" denied the request|ValidatingAdmissionPolicy '.*?' with binding/s.test(message))
    return { kind: 'admission', message };
  if (status !== 403) return null;
  return /\bcannot \S+ resource\b/.test(message) ? { kind: 'rbac' } : { kind: 'admission', message };
}

/** The error that a refusal is, of whatever was asked. */
export function refusalOf(error: ApiError, asking: Asking): HotexecError {
  const { target, namespace, what } = asking;
  if (error.status === 401)
    return refusal('not-permitted', `${target}: the API server does not know who is asking (401 Unauthorized).`, {
      hint: 'Log in again; kubectl auth whoami shows what the kubeconfig says you are.',
      cause: error,
    });
  if (isImpersonation(error))
    return refusal('not-permitted', `${target}: ${mayNotImpersonate(error)}.`, {
      hint: 'Without --as you are yourself.',
      cause: error,
    });
  const forbidder = forbidderOf(error);
  if (forbidder?.kind === 'rbac')
    return refusal(
      'not-permitted',
      `${target}: the cluster's RBAC does not let you ${what} in namespace ${namespace}. It says: ${error.message}.`,
      { hint: 'The least Role that hotexec needs there:', details: { role: leastRole(namespace) }, cause: error },
    );
  if (forbidder !== null) return admissionRefusal(forbidder, { target, namespace }, error);
  if (error.status === 404)
    return refusal('target-not-found', `${target}: there is no such thing in namespace ${namespace}.`, {
      cause: error,
    });
  return refusal(
    error.status >= 500 ? 'runtime-unreachable' : 'not-permitted',
    `${target}: the API server refused to ${what}: ${error.message === '' ? `status ${error.status}` : error.message}.`,
    { cause: error },
  );
}

/** It is not what was asked that is refused, but to ask as somebody else. */
export function isImpersonation({ status, message }: Pick<ApiError, 'status' | 'message'>): boolean {
  return status === 403 && message.includes('cannot impersonate resource');
}

/** As a clause. */
export function mayNotImpersonate({ message }: Pick<ApiError, 'message'>): string {
  return `the cluster's RBAC does not let you act as somebody else (--as). It says: ${message}`;
}

/** Of the agent's container. */
export function admissionRefusal(
  forbidder: Exclude<Forbidder, { readonly kind: 'rbac' }>,
  { target, namespace }: Pick<Asking, 'target' | 'namespace'>,
  cause: ApiError,
): HotexecError {
  if (forbidder.kind === 'pod-security')
    return refusal(
      'not-permitted',
      `${target}: the Pod Security admission of namespace ${namespace} (${forbidder.level}) refuses the agent: ${forbidder.violations}.`,
      { hint: `kubectl get namespace ${namespace} --show-labels shows what it enforces.`, cause },
    );
  return refusal('not-permitted', `${target}: an admission of the cluster refuses the agent: ${forbidder.message}.`, {
    hint: 'Whoever runs the cluster can let the agent pass: docs/security.md says what it is.',
    cause,
  });
}

interface More {
  readonly hint?: string;
  readonly details?: Readonly<Record<string, string>>;
  readonly cause: ApiError;
}

function refusal(code: ErrorCode, message: string, { hint, details = {}, cause }: More): HotexecError {
  return new HotexecError({ code, message: `${message} Nothing was touched.`, hint: hint ?? null, details }, { cause });
}
