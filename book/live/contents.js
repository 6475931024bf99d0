// What the folder of these files holds beside them, fetched at the first call.

const at = (name) => new URL(name, import.meta.url).href;

/** The networks and the sample strokes. */
export const contents = once(async () => (await fetched(at("live.json"))).json());

/** Share one result among all of a page; after a failure the next call tries again. */
function once(work) {
  let result;
  return (...given) => {
    result ??= work(...given).catch((error) => {
      result = undefined;
      throw error;
    });
    return result;
  };
}

/** The answer of a host; an Error if it is none. */
export async function fetched(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return response;
}
