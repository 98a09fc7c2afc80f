import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { k8s } from 'cdk8s-plus-27'
import { Construct } from 'constructs'
import { sha256 } from '../values/compute.ts'
import { kubeObject } from '../values/kube-object.ts'
import { hasTokens } from '../values/value.ts'
import type { Component } from './component.ts'

/** Files of cdk8s/scripts, and others by name, mounted into a pod. */
export class Scripts extends Construct {
  readonly volume: { readonly name: string; readonly configMap: { readonly name: string } }
  readonly mount = { name: 'scripts', mountPath: '/scripts', readOnly: true } as const
  /** For an annotation of the pod: it is replaced when a script changes. */
  readonly checksum: string

  constructor(
    scope: Construct,
    { name, labels }: Component,
    files: readonly string[],
    others: Readonly<Record<string, string>> = {},
  ) {
    super(scope, 'scripts')
    const read = (file: string) => readFileSync(new URL(`../scripts/${file}`, import.meta.url), 'utf8')
    const data = { ...Object.fromEntries(files.map((file) => [file, read(file)])), ...others }
    kubeObject(this, 'config', k8s.KubeConfigMap, { metadata: { name: `${name}-scripts`, labels }, data })
    this.volume = { name: 'scripts', configMap: { name: `${name}-scripts` } }
    const text = JSON.stringify(data)
    this.checksum = hasTokens(text) ? `${sha256(text)}` : createHash('sha256').update(text).digest('hex')
  }
}
