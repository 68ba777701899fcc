@META@
importScripts("/resources/testharness-shadowrealm-outer.js");
(async function() {
  const postMessageFunc = await getPostMessageFunc();
  try {
    const r = new ShadowRealm();
    await shadowRealmEvalAsync(r, `
      await import("/resources/testharness-shadowrealm-inner.js");
      await import("/resources/testharness.js");
    `);
    r.evaluate("setShadowRealmGlobalProperties")("@QUERY@", fetchAdaptor);

    await shadowRealmEvalAsync(r, `
      @SCRIPT@
      await import("@PATH@");
    `);

    function forwardMessage(msgJSON) {
      postMessageFunc(JSON.parse(msgJSON));
    }
    r.evaluate('begin_shadow_realm_tests')(forwardMessage);
  } catch (e) {
    postMessageFunc(createSetupErrorResult(e));
  }
})();
