@META@
TestRunner.prototype.createShadowRealmAndStartTests = async function() {
  try {
    const queryPart = import.meta.url.split('?')[1];
    const locationSearch = queryPart ? '?' + queryPart : '';

    const r = new ShadowRealm();
    const adaptor = this.fetchOverPortExecutor.bind(this);
    setupFakeDynamicImportInShadowRealm(r, adaptor);

    await shadowRealmEvalAsync(r, `
      await fakeDynamicImport("/resources/testharness-shadowrealm-inner.js");
      await fakeDynamicImport("/resources/testharness.js");
    `);
    r.evaluate("setShadowRealmGlobalProperties")(locationSearch, adaptor);

    await shadowRealmEvalAsync(r, `
      @SCRIPT@
      await fakeDynamicImport("@PATH@");
    `);
    const forwardMessage = (msgJSON) =>
      this.port.postMessage(JSON.parse(msgJSON));
    r.evaluate("begin_shadow_realm_tests")(forwardMessage);
  } catch (e) {
    this.port.postMessage(createSetupErrorResult(e));
  }
}
