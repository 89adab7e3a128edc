// Paths that a person gives to a command.

import { resolve } from 'node:path';
import { inheritedEnvironment } from '#runtime/config.ts';

/** Where the person stands. npm runs scripts in the project's own folder. */
export const givenDirectory = (): string => inheritedEnvironment()['INIT_CWD'] ?? process.cwd();

/** The file a person means, absolute. */
export const givenPath = (file: string): string => resolve(givenDirectory(), file);
