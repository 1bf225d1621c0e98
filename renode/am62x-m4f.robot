*** Settings ***
Resource                            ${CURDIR}/scene.resource

*** Variables ***
${SCENE}                            am62x-m4f
${DRIVER_UART}                      sysbus.uart
${DRIVER_CORE}                      sysbus.cpu0
${STOP_AT}                         0x9ce1fff0
# Mailbox 0: the FIFOs of platforms/am62x-m4f, and the control words of remoteproc.
${CONTROL_IN}                       0x29000044
${CONTROL_OUT}                      0x29000040
${DOORBELLS_IN}                     0x2900004c
${ECHO_REQUEST}                     0xffffff03
${SHUTDOWN}                         0xffffff14
${SHUTDOWN_ACK}                     0xffffff15

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

Should Answer SHUTDOWN, Park And Be Started Again
    Start Scene With Program        recovery
    Execute Command                 runMacro $releaseDevice
    Wait For Line On Uart           life
    # As remoteproc stops it: in the middle of a transfer. The driver's core does not see the answer taken.
    Execute Command                 sysbus WriteWord ${STOP_AT} 60 ${DRIVER_CORE}
    Wait For Line On Uart           @ 60
    Execute Command                 pause
    Execute Command                 runMacro $silenceDriver
    Send                            ${CONTROL_IN}    ${SHUTDOWN}
    Execute Command                 emulation RunFor "0.25"
    Take                            ${CONTROL_OUT}    ${SHUTDOWN_ACK}
    Take                            ${CONTROL_OUT}    0x00000000
    ${parked}=                      Where The Core Is
    # Asleep behind a WFI that no interrupt ends.
    ${before}=                      Evaluate    ${parked} - 2
    ${instruction}=                 Execute Command    sysbus ReadWord ${before} sysbus.m4f
    Should Be Equal As Integers     ${instruction}    0xbf30
    ${masked}=                      Execute Command    sysbus.m4f PRIMASK
    Should Be Equal As Integers     ${masked}    1
    Send                            ${CONTROL_IN}    ${ECHO_REQUEST}
    Send                            ${DOORBELLS_IN}    0
    Execute Command                 sysbus WriteWord ${STOP_AT} 0 ${DRIVER_CORE}
    Execute Command                 runMacro $restartDriver
    Execute Command                 emulation RunFor "2"
    # Who comes back rings, and nobody takes a word, answers or serves.
    ${still}=                       Where The Core Is
    Should Be Equal                 ${still}    ${parked}
    Take                            ${CONTROL_IN}    ${ECHO_REQUEST}
    Take                            ${DOORBELLS_IN}    0x00000000
    Take                            ${CONTROL_OUT}    0x00000000
    Should Not Be On Uart           life    timeout=0
    # Started again it serves.
    Execute Command                 runMacro $loadDevice
    Execute Command                 runMacro $releaseDevice
    Start Emulation
    Wait For Line On Uart           life

*** Keywords ***
Send
    [Arguments]                     ${fifo}    ${word}
    Execute Command                 sysbus WriteDoubleWord ${fifo} ${word} ${DRIVER_CORE}

Take
    [Arguments]                     ${fifo}    ${word}
    ${taken}=                       Execute Command    sysbus ReadDoubleWord ${fifo} ${DRIVER_CORE}
    Should Be Equal As Integers     ${taken}    ${word}

Where The Core Is
    ${place}=                       Execute Command    sysbus.m4f PC
    RETURN                          ${place.strip()}
