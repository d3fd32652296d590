import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { parse, parseAllDocuments } from "yaml"
import { defaults } from "../../src/cluster/options.js"
import { root } from "../child.js"

const textOf = (name: string): string => readFileSync(join(root, "examples", "cluster", name), "utf8")
const seconds = (text: string): number => Number(/^(\d+)s$/.exec(text)?.[1])

/** The longest drain, and the time to close what is open then. */
const stopSeconds = Duration.toSeconds(defaults.drain.within) + 10
const leaseSeconds = Duration.toSeconds(defaults.lease)

const Probe = Schema.Struct({
  httpGet: Schema.Struct({ path: Schema.String, port: Schema.String }),
  periodSeconds: Schema.Number,
  timeoutSeconds: Schema.optional(Schema.Number),
  failureThreshold: Schema.Number
})

const Deployment = Schema.Struct({
  kind: Schema.Literal("Deployment"),
  spec: Schema.Struct({
    replicas: Schema.Number,
    minReadySeconds: Schema.Number,
    strategy: Schema.Struct({
      rollingUpdate: Schema.Struct({ maxSurge: Schema.Number, maxUnavailable: Schema.Number })
    }),
    template: Schema.Struct({
      spec: Schema.Struct({
        terminationGracePeriodSeconds: Schema.Number,
        containers: Schema.Tuple(
          Schema.Struct({
            ports: Schema.Array(Schema.Struct({ name: Schema.String, containerPort: Schema.Number })),
            env: Schema.Array(Schema.Struct({ name: Schema.String, value: Schema.optional(Schema.String) })),
            startupProbe: Probe,
            readinessProbe: Probe,
            livenessProbe: Probe,
            lifecycle: Schema.Struct({
              preStop: Schema.Struct({
                exec: Schema.Struct({ command: Schema.Tuple(Schema.Literal("sleep"), Schema.NumberFromString) })
              })
            })
          })
        )
      })
    })
  })
})

const manifests = parseAllDocuments(textOf("kubernetes.yaml")).map((document): { readonly kind?: string } =>
  document.toJS()
)

describe("The Kubernetes manifest", () => {
  const { spec } = Schema.decodeUnknownSync(Deployment)(manifests.find(({ kind }) => kind === "Deployment"))
  const pod = spec.template.spec
  const [container] = pod.containers

  it("has documents that are whole", () => {
    expect(parseAllDocuments(textOf("kubernetes.yaml")).flatMap(({ errors }) => errors)).toEqual([])
    expect(manifests.map(({ kind }) => kind)).toEqual(["Service", "Deployment", "PodDisruptionBudget", "NetworkPolicy"])
  })

  it("gives a node the time to hand its calls over", () => {
    const [, wait] = container.lifecycle.preStop.exec.command
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(wait + stopSeconds)
    // Until then the node is not ready any more, or gets no more callers.
    expect(wait).toBeGreaterThan(0)
  })

  it("starts a new node before an old one goes, and waits until it may take calls of a dead one", () => {
    expect(spec.strategy.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 })
    expect(spec.minReadySeconds).toBeGreaterThanOrEqual(leaseSeconds)
    expect(spec.replicas).toBeGreaterThanOrEqual(2)
  })

  it("asks the pages that a node has", () => {
    expect(container.readinessProbe.httpGet.path).toBe("/ready")
    expect(container.livenessProbe.httpGet.path).toBe("/health")
    expect(container.startupProbe.httpGet.path).toBe("/health")
    const names = container.ports.map(({ name }) => name)
    expect(names).toEqual(["callers", "pages", "cluster"])
    for (const probe of [container.startupProbe, container.readinessProbe, container.livenessProbe]) {
      expect(probe.httpGet.port).toBe("pages")
    }
  })

  it("kills a node that hangs only after others have taken its calls", () => {
    const { failureThreshold, periodSeconds } = container.livenessProbe
    expect(failureThreshold * periodSeconds).toBeGreaterThan(leaseSeconds + 4)
  })

  it("names the ports once", () => {
    const valueOf = (name: string) => container.env.find((one) => one.name === name)?.value
    expect(container.ports.map(({ containerPort }) => String(containerPort))).toEqual([
      valueOf("PORT"),
      valueOf("PAGES_PORT"),
      valueOf("NODE_PORT")
    ])
  })
})

const Compose = Schema.Struct({
  services: Schema.Struct({
    database: Schema.Struct({ stop_grace_period: Schema.String }),
    node: Schema.Struct({
      deploy: Schema.Struct({ replicas: Schema.Number }),
      environment: Schema.Struct({
        PORT: Schema.String,
        PAGES_PORT: Schema.String,
        NODE_PORT: Schema.String,
        DATABASE_URL: Schema.String
      }),
      ports: Schema.Tuple(Schema.String),
      healthcheck: Schema.Struct({ test: Schema.Array(Schema.String) }),
      stop_grace_period: Schema.String
    })
  })
})

describe("The compose file", () => {
  const { database, node } = Schema.decodeUnknownSync(Compose)(parse(textOf("compose.yaml"))).services

  it("gives a node the time to hand its calls over, and the database more than the nodes", () => {
    expect(seconds(node.stop_grace_period)).toBeGreaterThanOrEqual(stopSeconds)
    expect(seconds(database.stop_grace_period)).toBeGreaterThan(seconds(node.stop_grace_period))
  })

  it("has a port on this machine for each node", () => {
    const [, first, last, inside] = /^127\.0\.0\.1:(\d+)-(\d+):(\d+)$/.exec(node.ports[0]) ?? []
    expect(Number(last) - Number(first) + 1).toBe(node.deploy.replicas)
    expect(inside).toBe(node.environment.PORT)
    expect(node.healthcheck.test.join(" ")).toContain(`:${node.environment.PAGES_PORT}/health`)
  })
})
