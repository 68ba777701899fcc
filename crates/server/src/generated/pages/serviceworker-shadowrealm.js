@META@
importScripts("/resources/testharness-shadowrealm-outer.js");

(async function () {
  const postMessageFunc = await getPostMessageFunc();
  try {
    const r = new ShadowRealm();
    setupFakeDynamicImportInShadowRealm(r, fetchAdaptor);

    await shadowRealmEvalAsync(r, `
      await fakeDynamicImport("/resources/testharness-shadowrealm-inner.js");
      await fakeDynamicImport("/resources/testharness.js");
    `);
    r.evaluate("setShadowRealmGlobalProperties")("@QUERY@", fetchAdaptor);

    await shadowRealmEvalAsync(r, `
      @SCRIPT@
      await fakeDynamicImport("@PATH@");
    `);

    function forwardMessage(msgJSON) {
      postMessageFunc(JSON.parse(msgJSON));
    }
    r.evaluate("begin_shadow_realm_tests")(forwardMessage);
  } catch (e) {
    postMessageFunc(createSetupErrorResult(e));
  }
})();
