export interface KnownAdvisories {
  readonly package: string;
  readonly fixedIn: string;
  readonly advisories: readonly string[];
}

export declare const knownAdvisories: readonly KnownAdvisories[];

export declare function installedAndKnown(lock: {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly dev?: boolean }>>;
}): readonly (KnownAdvisories & { readonly path: string; readonly version: string })[];
