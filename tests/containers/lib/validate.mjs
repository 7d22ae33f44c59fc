// validate.mjs DIRECTORY FILE... (copied to where the modules lie): every object in these files is what Kubernetes' own schemas say, and every pod in them is what the restricted Pod Security
// Standard asks for. Fields that there are not pass the schemas: a TypeScript file is left in DIRECTORY that only compiles if there are none.
import * as yaml from "js-yaml";
import fs from "node:fs";
import path from "node:path";

const [directory, ...files] = process.argv.slice(2);
const typed = [];
let objects = 0, pods = 0;

const fail = (where, what) => { console.error(`${where}: ${what}`); process.exitCode = 1; };

function restricted(where, pod) {
  pods++;
  const ask = (isSo, what) => { if (!isSo) fail(where, what); };
  for (const name of ["hostNetwork", "hostPID", "hostIPC"]) ask(!pod[name], `${name} is set`);
  for (const volume of pod.volumes ?? [])
    ask(["secret", "emptyDir", "persistentVolumeClaim", "configMap", "projected", "ephemeral", "downwardAPI", "csi"].some(kind => kind in volume), `volume ${volume.name}`);
  for (const container of [...(pod.initContainers ?? []), ...pod.containers]) {
    const own = container.securityContext ?? {}, shared = pod.securityContext ?? {}, of = `of ${container.name}`;
    ask((own.runAsNonRoot ?? shared.runAsNonRoot) === true && (own.runAsUser ?? shared.runAsUser) !== 0, `the user ${of}`);
    ask(["RuntimeDefault", "Localhost"].includes((own.seccompProfile ?? shared.seccompProfile)?.type), `the seccomp profile ${of}`);
    ask(own.allowPrivilegeEscalation === false && !own.privileged, `privileges ${of}`);
    ask(own.capabilities?.drop?.includes("ALL") && (own.capabilities.add ?? []).every(name => name === "NET_BIND_SERVICE"), `capabilities ${of}`);
    ask(own.readOnlyRootFilesystem === true, `the root file system ${of}`); // not the standard's, but ours
    ask((container.ports ?? []).every(port => !port.hostPort), `a port of the host ${of}`);
    const known = new Set([...(pod.volumes ?? []).map(volume => volume.name), ...(pod.claims ?? [])]);
    for (const mount of container.volumeMounts ?? []) ask(known.has(mount.name), `a mount ${of}: there is no volume ${mount.name}`);
  }
}

for (const file of files) {
  for (const object of yaml.loadAll(fs.readFileSync(file, "utf8"))) {
    const where = `${path.basename(file)}: ${object.kind}`;
    const Model = (await import(`kubernetes-models/${object.apiVersion}`))[object.kind];
    try { new Model(object).validate(); } catch (error) { fail(where, error.message); }
    if (object.kind === "Pod") restricted(where, object.spec);
    if (object.kind === "StatefulSet")
      restricted(where, { ...object.spec.template.spec, claims: (object.spec.volumeClaimTemplates ?? []).map(claim => claim.metadata.name) });
    const module = object.apiVersion === "v1" ? "core/v1" : object.apiVersion;
    typed.push(`import type { ${object.kind} as T${objects} } from "kubernetes-types/${module}";\nexport const o${objects}: T${objects} = ${JSON.stringify(object, null, 1)};`);
    objects++;
  }
}
fs.writeFileSync(path.join(directory, "typed.ts"), typed.join("\n"));
console.log(`${objects} objects, ${pods} pods`);
