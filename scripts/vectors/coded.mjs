// The schemes that a row cannot say.
import { macs } from './coded-mac.mjs';
import { publics } from './coded-public.mjs';

const all = { ...macs, ...publics };

// coded makes the vectors of a scheme; verifyCoded checks a request.
export const coded = Object.fromEntries(Object.entries(all).map(([name, [make]]) => [name, make]));
export const verifyCoded = (name, req, options) => all[name][1](req, options);
