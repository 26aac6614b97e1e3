"""node-postgres, unmodified, from npm; skipped where npm cannot fetch it."""
import pathlib
import shutil
import subprocess
import sys
import tempfile

from server import run, running, skip

PROGRAM = """
const { Client } = require('pg');
const assert = require('assert');
(async () => {
  const client = new Client({ host: '127.0.0.1', port: Number(process.argv[2]), user: 'postgres',
                              database: 'postgres' });
  await client.connect();
  await client.query('CREATE TABLE t (id int PRIMARY KEY, name text, at timestamptz, data jsonb)');
  const at = new Date('2024-05-06T07:08:09.123Z');
  await client.query('INSERT INTO t VALUES ($1, $2, $3, $4)', [1, 'one', at, { a: [1, 2] }]);
  const read = await client.query({ name: 'by-id', text: 'SELECT * FROM t WHERE id = $1', values: [1] });
  assert.strictEqual(read.rows[0].name, 'one');
  assert.strictEqual(read.rows[0].at.getTime(), at.getTime());
  assert.deepStrictEqual(read.rows[0].data, { a: [1, 2] });
  const again = await client.query({ name: 'by-id', text: 'SELECT * FROM t WHERE id = $1', values: [2] });
  assert.strictEqual(again.rowCount, 0);
  await assert.rejects(client.query('INSERT INTO t (id) VALUES (1)'), { code: '23505' });
  await client.query('BEGIN');
  await client.query('DELETE FROM t');
  await client.query('ROLLBACK');
  assert.strictEqual((await client.query('SELECT count(*)::int AS n FROM t')).rows[0].n, 1);
  await client.end();
})().catch((error) => { console.error(error); process.exit(1); });
"""


def main(pando):
    if shutil.which("npm") is None:
        skip("npm is not installed")
    with tempfile.TemporaryDirectory(prefix="pando-node-") as directory:
        try:
            fetched = subprocess.run(["npm", "install", "--prefix", directory, "--no-audit", "--no-fund", "pg@8"],
                                     capture_output=True, timeout=120)
        except subprocess.TimeoutExpired:
            skip("npm does not answer")
        if fetched.returncode != 0:
            skip("npm cannot fetch pg")
        program = pathlib.Path(directory) / "program.js"
        program.write_text(PROGRAM)
        with running(pando) as server:
            run(["node", program, server.port], cwd=directory)


if __name__ == "__main__":
    main(sys.argv[1])
