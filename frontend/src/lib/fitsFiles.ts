/** FITS files for tests, packed: written by astropy, and the last two by this site's server. */
import { gunzipSync } from "node:zlib";

export function unpacked(packed: string): ArrayBuffer {
  const bytes = gunzipSync(Buffer.from(packed, "base64"));
  return new Uint8Array(bytes).buffer;
}

export const BYTES =
  "H4sIAAAAAAACA+3SQWvCMBjGcef2QZ5bb1tVBC876IwQcbWsOfSarhUKNpG0Hvz0Wzvw1uDK5u35Qa5/3uRNIt/jnQBe0UPhBZ/WHKyrajQWG6kS1I02uXY5eq2kimXq6S3annZOX5DrRqO5nArcEC1TmcDTm7Y9c66ywsEeruWyKkxdWlP7exNPb4bBfnpT73yDiVSJaO3dx2D71Va8qa4X7IMgKsojAvzBZifjWKz/bb72vh/Lnv2Gz2E4mXf/pT3ZgF73eERERER3NHoYPz59jYiIiIiI6Be+AQY3ATqAFgAA";
export const SHORTS =
  "H4sIAAAAAAACA+3SvU7DMBiFYcOVnC0bJK1gY2ipKxmVNCIesrpNKkUiNnLSoRPceUmQ2GJQBN3OI1neXn3+ydVztpHAA0Zo3GLv7MH5pkXnsFY6R9sZWxpfYtRS6UwV473kvu8Z780JpekMutNbhV+ki0LlCMw363v22OwqD3f4LtdNZdva2TbcSwK9OSb76s2C800mCy3TVfA9Jtsun+SjHnrRNorSqn5FhD9Yb1SWydW/zdef92Ux8r7xTRwnd8N/6dduQm+4PCIiIqIL+hDnsxDiSly/DzsREREREf3gE9ADy3KAFgAA";
export const INTEGERS =
  "H4sIAAAAAAACA+3SO0/DMBiF4ZRfcrZskLZiZOjFlYzaNCIesrpNKkUiNnLC0An+OTggBEMsFEG380gevLz6fMnlLtsK4A4DFG5wtOZkXdOis9hIlaPttCm1KzFoKVUmi+HefOZ72jl9Rqk7je78VOEX6aKQOQLz9T3z3BwqB3v6KtdNZdramjbcmwZ6c4z20ZsF5xtNFEqk6+B7jLZf3ouV6nvxPo7Tqn5EjD/YbGWWifW/zefP+7AYeN/kOkmmt/1/8eswotdfHhEREdEFvUZR9OZFnyZ+Xb1874mIiIiI6Id3jQGUW4AWAAA=";
export const FLOATS =
  "H4sIAAAAAAACA+3Su07DMBiGYV/Kv2UqpK0YEfTgSkYljRoPWd0mlSI1duuEoRPcGcxcDldQG6lTY6EI2L5Hsry9+n3IxHO65ET31EHSLW2N3hlbN9QaWgiZUdMqXShbUKepkKnIO3uD8cj1lLXqRIVqFbWnQ0k/SCa5yCgwn+/pl3pTWjK7S7mqS91URjfh3jDQG1Nv371RcL7eeC55Mg++R2+r6ROfSd+LVlGUlNWeIvqFxVKkKZ//2XzuvOtJx/vGN3E8vPP/xa1Nj56/PAAAAIB/9PrB2Ltb3sMbY49uP4qvTwYAAAAAAFfOeFoV9YAWAAA=";
export const DOUBLES =
  "H4sIAAAAAAACA+3SP27CMBiHYY7ybVGHlkD/SAxFheJIRjREjYd0NE2QIjV25YSBiQv0EL1J78PEyEhCYYuFIujU3yNFlpdXX2yH/CWYMKJHqiGoTe9azbXJcio0eVyElBdSxdLEVGvIRcCj2t71w13Zk8bIJcWykFQsPxM6wR9EPCTLfN2ypxbZLDGk58dymiUqT7XK7b2OpXdLje17Xet8jbFIMH9kvY/GpsMxexZVz5k6jp+kH+TQGbwJDwI2uth85f++Dmru171x3c599V7Kb9agVx0eAAAAwB9abVt7P4f1aLX5XZ8Oe++q/9b7/lq3AAAAAAD+sR1h36LngBYAAA==";
export const NOISY =
  "H4sIAAAAAAACA+3RUUvCUBTA8eqtp17FIk6lWZJ6d7fdaVAxbcXKVNoeJHpZuEgQlZxlb8fP1rfo03TUelNToofg/GAbboc/c8dzb2plB+AEpvAhBxeu70EvCtqN4LkBRlbAXEXXr7n16T1NUe+hGfWg8wgBdJuDsAU/qNh114MZ7yepFwzCHixu3NNm9PLUG8BSxj05p/e2XK/olezJPkRWCGWYqpA3NVM3pRRKp16nHdI6wu6ivTvntvr1/aSmZU0pDKWEFHmzYFnUewla/XC0ELFYr2xXrqfsI6NLS43+72Srr83oqdOPaMuT/kzV4pVT8ke91PeXT8EvOJVzYIwxxhj7S7iCq5hDwF1M4jodm3iPR7iHCdzGGF0F3bPoOEQbNdzBfTpf0tMkvtNsAhVKTKM+PBt+YBw3MIM6tWI0f4CnaFDrmGbjNCXpukW/12hC0GSa7horjDHGGGOM/SOfQyEnZoAWAAA=";
export const COLORS =
  "H4sIAAAAAAACA+2STUhUURTHLUpoUUYEiYXcSsMkx/cx80YDi8kcGfKLZiCJNmNOOCCjNGNNm/i/cyZatkhXbduGIbUvJYuIIFIppw9Cg5oWYRZJi+qMRqvxo6BFcH+P+y7vnv/78e47Nxxq7WhpUqpBFSCialUwFAmrZCqa6I6e7VZej6FW5Ego0hHqLOwzHfF1xVNJ1XdGRVV/PB3rVavQFugMhdUy32eLL5qOJdXaWfSZy/jqxJdWf8Siz1rBd+EvfPYK+z3dE00kVv9vv/sRbgws9dfwGIbj9Tn1dT7TZ/ssy3Dyvr5ETNob61+r72TT8fZf/bBM0+OzDK/jGJZR56v3+8V3Lto7EMs32FibryXQdqxAf2tsy+/k/9/SKTkfT/X0DaTk1Cz5l6Wp7ajSaDQajUaj+ZegCOtQC4U9qMQmGTtxCgewFxUoR6nMhqz5ZexHACZ2Y5/cm6VaiTHJVsCBhWrY7mF3GmUoQQ1scZVKvgqH4BXXQcmWScqSeZc8r5eEIclqWfUihyEs4BNuYhb38A3v3I14gXF8wWeZH+KDVCdxFzN4426R+ndZf4uvvDUTlPwwXmLeLcc0slSK+3iOOWTdInlzxt2GeTzFAzeE93gmiccYxZTs9yo+4gkmJHNdspNEfJHH3FEa40YayRTTCW6mBOd4M01RcWY7X5LrDgfpBg3SIM+Sh27RK7Y5Tu20gUv4kdRNes0NlOMrNMSV9IO72c5c4wVecCcoSyPc5Q7zON+mIKXFsYOTmVaa48tcVaTRaDQajUaj+a/4CdBnhtWAFgAA";

/** What the server draws of them with each stretch, top row first. */
export const DRAWN = {
  linear: [
    [0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 157, 255, 0, 0],
    [0, 0, 1, 0, 0, 79, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0],
    [0, 14, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0],
  ],
  sqrt: [
    [0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 200, 255, 0, 0],
    [0, 0, 15, 0, 0, 142, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0],
    [0, 60, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0],
  ],
  asinh: [
    [0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 214, 255, 0, 0],
    [0, 0, 3, 0, 0, 157, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0],
    [0, 45, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0],
  ],
  log: [
    [0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 237, 255, 0, 0],
    [0, 0, 54, 0, 0, 212, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0],
    [0, 149, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0],
  ],
};
export const DRAWN_COLORS = [
  [
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
  ],
  [
    [0, 0, 0],
    [0, 62, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
  ],
  [
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 65],
    [0, 0, 0],
    [0, 0, 0],
  ],
  [
    [0, 0, 0],
    [0, 0, 0],
    [0, 19, 0],
    [0, 0, 0],
    [141, 0, 0],
    [180, 143, 0],
    [0, 0, 0],
    [0, 0, 0],
  ],
  [
    [0, 0, 0],
    [0, 0, 0],
    [10, 0, 0],
    [0, 0, 0],
    [0, 201, 0],
    [100, 255, 0],
    [0, 0, 0],
    [0, 0, 0],
  ],
  [
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
  ],
  [
    [0, 0, 0],
    [42, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
  ],
  [
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
  ],
];
