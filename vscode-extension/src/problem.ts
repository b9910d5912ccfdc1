/** Why there is no server, said so that the user can do something about it. */
export type ServerSetting =
  | 'osiris.server.path'
  | 'osiris.server.interpreter'
  | 'osiris.server.basePython'
  | 'osiris.server.createEnvironment';

export class Problem extends Error {
  /** @param setting the setting to look at, where one is to blame */
  constructor(
    message: string,
    readonly setting?: ServerSetting,
  ) {
    super(message);
  }
}

/** The user did not want to wait for it. */
export class Cancelled extends Problem {}
