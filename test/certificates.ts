import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** PEM texts, and the files that hold them. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** An authority of a test's own, made by `openssl`, since Node makes keys but no certificates. */
export class Authority {
  readonly ca: string;
  readonly caFile: string;
  readonly #folder: string;
  readonly #own: Certificate;
  #issued = 0;

  constructor(t: TestContext) {
    this.#folder = mkdtempSync(join(tmpdir(), 'longshore-certificates-'));
    t.after(() => rmSync(this.#folder, { recursive: true, force: true }));
    this.#own = this.#make('authority', 'basicConstraints = critical,CA:TRUE\nkeyUsage = keyCertSign', null);
    this.ca = this.#own.cert;
    this.caFile = this.#own.certFile;
  }

  /** For a server at localhost and 127.0.0.1, or for a client. */
  issue(name = 'localhost'): Certificate {
    const extensions = 'basicConstraints = CA:FALSE\nsubjectAltName = DNS:localhost,IP:127.0.0.1';
    return this.#make(name, extensions, this.#own);
  }

  #make(name: string, extensions: string, signer: Certificate | null): Certificate {
    this.#issued += 1;
    const file = (end: string): string => join(this.#folder, `${this.#issued}.${end}`);
    const [config, certFile, keyFile] = [file('conf'), file('pem'), file('key')];
    writeFileSync(
      config,
      `[req]\nprompt = no\ndistinguished_name = name\n[name]\nCN = ${name} ${randomUUID().slice(0, 8)}\n[own]\n${extensions}\n`,
    );
    const by = signer === null ? [] : ['-CA', signer.certFile, '-CAkey', signer.keyFile];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const out = ['-keyout', keyFile, '-out', certFile];
    const args = [
      'req',
      '-x509',
      '-config',
      config,
      '-extensions',
      'own',
      '-days',
      '2',
      ...curve,
      ...by,
      ...out,
    ];
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    return {
      cert: readFileSync(certFile, 'utf8'),
      key: readFileSync(keyFile, 'utf8'),
      certFile,
      keyFile,
    };
  }
}
