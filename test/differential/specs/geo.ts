// Places, which are sorted sets.

import type { Family } from '../family.ts';

export const GEO: Family = {
  type: 'geo',
  setup: ['GEOADD A 13.361389 38.115556 p 15.087269 37.502669 c', 'GEOADD B 2 41 b', 'GEOADD D 1 1 d'],
  lines: [
    'GEOADD A 1 2 new',
    'GEOADD A NX CH 200 2 bad',
    'GEODIST A p c km',
    'GEOHASH A p none',
    'GEOPOS A p none',
    'GEOSEARCH A FROMMEMBER p BYRADIUS 200 km ASC WITHCOORD WITHDIST',
    'GEOSEARCH A FROMLONLAT 15 37 BYBOX 400 400 km DESC COUNT 1',
    'GEOSEARCHSTORE C A FROMMEMBER p BYRADIUS 200 km',
    'GEORADIUS A 15 37 200 km WITHDIST ASC',
    'GEORADIUS A 15 37 200 km STORE C',
    'GEORADIUS A 15 37 200 km COUNT 1 STOREDIST C',
    'GEORADIUS_RO A 15 37 200 km ASC',
    'GEORADIUSBYMEMBER A p 200 km ASC',
    'GEORADIUSBYMEMBER A p 200 km STORE C',
    'GEORADIUSBYMEMBER_RO A p 200 km ASC',
  ],
};
