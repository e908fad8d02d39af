/** The network requests that a thread made, as its own browser recorded them (Resource Timing). */

export interface RequestMade {
  url: string;
  /** Bytes over the network; 0 from a cache, and where another host does not say. */
  bytes: number;
  /** Which thread made it. */
  thread: string;
}
