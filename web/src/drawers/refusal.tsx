/** Why something was not done, in the API's words, and what mends it. */
import { sentences, type ApiError } from '../logic/api';
import { usePage } from '../logic/context';

export function Refusal({ error }: { error: ApiError }) {
  const { texts, signIn } = usePage();
  const help = texts.refusedHelp[String(error.status)];
  return (
    <p class="notice failed" role="alert">
      {sentences(error)} {help}{' '}
      {(error.status === 401 || error.status === 403) && (
        <button type="button" onClick={signIn}>
          {texts.signIn}
        </button>
      )}
    </p>
  );
}
