*** Settings ***
Resource                            ${CURDIR}/scene.resource

*** Variables ***
${SCENE}                            rzg2l-m33
${DRIVER_UART}                      sysbus.scif0
${DRIVER_CORE}                      sysbus.cluster.cpu0
${STOP_AT}                         0x4311fff0

*** Test Cases ***
Should Read Entropy
    Read Entropy

Should Interrupt Both Ways
    Interrupt Both Ways

Should Reset The Device And Shut Down
    Reset The Device And Shut Down

Should Go Round The Ring And Come Back After A Reset
    Go Round The Ring And Come Back After A Reset

Should Remove A Device While Another One Serves
    Remove A Device While Another One Serves

Should Serve A Driver's Side That Asks And Reads Nothing
    Serve A Driver's Side That Asks And Reads Nothing

Should Serve On After The Driver's Core Fell Silent
    Serve On After The Driver's Core Fell Silent
