/** Signing in: a token is pasted once, tried, and kept for this tab. */
import { useState } from 'preact/hooks';
import { ApiError, ask, keepToken, sentences } from '../logic/api';
import type { Texts } from '../logic/i18n';
import type { WhoAmI } from '../types';

/** What a header may hold; a pasted text with anything else is no token. */
const WRITABLE = /^[\x21-\x7e]+$/;

export function SignIn(props: { texts: Texts; owners: boolean; done: (who: WhoAmI) => void; needed: boolean }) {
  const { texts, owners, done, needed } = props;
  const [value, setValue] = useState('');
  const [error, setError] = useState<ApiError | null>(null);
  const submit = (event: Event): void => {
    event.preventDefault();
    const token = value.trim();
    if (token === '') return;
    if (!WRITABLE.test(token)) {
      setError(new ApiError(401, '', ''));
      return;
    }
    setError(null);
    ask<WhoAmI>('api/whoami', { token })
      .then((who) => {
        keepToken(token);
        done(who);
      })
      .catch((wrong: unknown) => setError(wrong instanceof ApiError ? wrong : new ApiError(0, '', '')));
  };
  return (
    <form class="sign-in" onSubmit={submit}>
      {needed && <p>{texts.needsToken}</p>}
      <p class="faint">{owners ? texts.ownersHelp : texts.tokenHelp}</p>
      <label>
        {texts.token}
        <input
          type="password"
          name="token"
          autocomplete="off"
          spellcheck={false}
          required
          value={value}
          onInput={(event) => setValue(event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="main">
        {texts.signIn}
      </button>
      {error && (
        <p class="notice failed" role="alert">
          {error.status === 401 ? texts.wrongToken : sentences(error) || texts.refusedHelp['0']}
        </p>
      )}
    </form>
  );
}
