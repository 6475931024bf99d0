// What the folder of these files holds beside them, fetched at the first call.

let result;

/** The networks and the sample strokes; after a failure the next call tries again. */
export function contents() {
  result ??= read().catch((error) => {
    result = undefined;
    throw error;
  });
  return result;
}

async function read() {
  return (await fetched(new URL("live.json", import.meta.url))).json();
}

/** The answer of a host; an Error if it is none. */
export async function fetched(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return response;
}
