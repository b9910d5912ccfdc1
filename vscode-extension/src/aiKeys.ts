/**
 * The keys of AI providers, in the secret storage of VS Code: never in a setting, a file or a log. Each is kept for one
 * provider, or one server, and is given to the language server only for that, in trusted workspaces.
 */

/** As `vscode.SecretStorage`. */
export interface Secrets {
  get(name: string): Thenable<string | undefined>;
  store(name: string, value: string): Thenable<void>;
  delete(name: string): Thenable<void>;
}

const slot = (place: string): string => `osiris.ai.key:${place}`;

export class AiKeys {
  /** What was given to the server in this window, so that no log repeats it. */
  private readonly given = new Set<string>();

  constructor(
    private readonly secrets: Secrets,
    private readonly trusted: () => boolean,
  ) {}

  /** Answers `osiris/secret`. */
  async answer(request: unknown): Promise<{ secret: string | null }> {
    const place = typeof request === 'object' && request !== null && 'for' in request ? request.for : undefined;
    if (typeof place !== 'string' || place === '' || !this.trusted()) {
      return { secret: null };
    }
    const secret = (await this.secrets.get(slot(place))) ?? null;
    if (secret !== null) {
      this.given.add(secret);
    }
    return { secret };
  }

  /** Keeps a key, or with an empty text forgets the one there is; whether one is kept now. */
  async set(place: string, key: string): Promise<boolean> {
    const text = key.trim();
    if (text === '') {
      await this.secrets.delete(slot(place));
      return false;
    }
    this.given.add(text);
    await this.secrets.store(slot(place), text);
    return true;
  }

  /** The text without the keys, as they are or as JSON writes them. */
  masked(text: string): string {
    const spellings = [...this.given].flatMap((key) => [key, JSON.stringify(key).slice(1, -1)]);
    return spellings.reduce((rest, spelling) => rest.replaceAll(spelling, '***'), text);
  }

  /** The log, which then never shows a key: the language client can be told to log every message. */
  hiddenFrom<T extends object>(log: T): T {
    return new Proxy(log, {
      get: (target, name) => {
        const found: unknown = Reflect.get(target, name, target);
        return typeof found === 'function' ? (...args: unknown[]) => found.apply(target, args.map((arg) => (typeof arg === 'string' ? this.masked(arg) : arg))) : found;
      },
    });
  }
}
